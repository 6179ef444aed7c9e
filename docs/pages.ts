// Pages with parts that `npm run docs` writes between markers.
import { layersText, mapText, sizesText } from './architecture.ts';
import { referenceText } from './reference.ts';

/** Which pages have such parts, and how many. */
export const pages: { readonly [path: string]: number } = { 'ARCHITECTURE.md': 3, 'docs/training.md': 1 };

const tables: { readonly [name: string]: () => string } = {
  map: mapText,
  layers: layersText,
  sizes: sizesText,
  reference: () => referenceText(new URL('../', import.meta.url)),
};

/** The page with its generated parts made anew. */
export function withTables(page: string): string {
  return page.replace(
    /(<!-- generated: (\w+) -->\n)[\s\S]*?(\n<!-- end -->)/g,
    (_, begin: string, name: string, end: string) => `${begin}\n${tables[name]()}\n${end}`,
  );
}
