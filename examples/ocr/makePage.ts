/**
 * Makes page.png of page.svg: `npx tsx examples/ocr/makePage.ts`. Needs `rsvg-convert` (librsvg) and the DejaVu fonts;
 * only needed when page.svg changes.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { decodeImage, encodePng } from 'convlet/images';

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const colored = execFileSync('rsvg-convert', ['--format', 'png', here('page.svg')]);
writeFileSync(here('page.png'), encodePng(await decodeImage(new Uint8Array(colored), { channels: 1 })));
