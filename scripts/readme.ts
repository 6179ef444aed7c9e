// npm pack, npm publish: README.md with absolute links while it is packed, as a registry shows it. In the repository its links are
// relative: they work in every branch and fork and without a network, and the tests follow them.
import { copyFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const repository = 'convlet/convlet';
const pages = `https://github.com/${repository}/blob/main/`;
const files = `https://raw.githubusercontent.com/${repository}/main/`;

/** Links to files of the repository become links to its pages, pictures to the files themselves. Code is left alone. */
export function absoluteLinks(markdown: string): string {
  const blocks = markdown.split(/^(```[\s\S]*?^```)/m);
  return blocks.map((text, i) => (i % 2 === 1 ? text : absolute(text))).join('');
}

function absolute(text: string): string {
  const at = (base: string, path: string): string => new URL(path.replace(/^\//, ''), base).href;
  return text
    .replace(/(!\[[^\]]*\]\()(?![a-z]+:|#)([^)\s]+)/g, (_, start: string, path: string) => start + at(files, path))
    .replace(/((?:src|srcset)=")(?![a-z]+:)([^"]+)/g, (_, start: string, path: string) => start + at(files, path))
    .replace(/(\]\(|href=")(?![a-z]+:|#)([^)"\s]+)/g, (_, start: string, path: string) => start + at(pages, path));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const readme = join(root, 'README.md');
  const original = join(root, 'build/README.md');
  if (process.argv[2] === 'restore') renameSync(original, readme);
  else {
    copyFileSync(readme, original);
    writeFileSync(readme, absoluteLinks(readFileSync(readme, 'utf8')));
  }
}
