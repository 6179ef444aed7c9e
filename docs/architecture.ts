// The tables of ARCHITECTURE.md that `npm run docs` writes between markers: the map of families and the layers' arrows.
import { existsSync } from 'node:fs';
import { type Family, type FamilyLayer, families, familyLayers, familyNames } from '../scripts/families.ts';
import { type Layer, layers } from '../scripts/layers.ts';

const root = new URL('../', import.meta.url);

export const table = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  [header, header.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

const layerNames = Object.keys(familyLayers) as FamilyLayer[];

/** A link to the family's folder on a layer, or to its one file. */
function cell(layer: FamilyLayer, family: string): string {
  const path = [`${layer}/${family}`, `${layer}/${family}.ts`].find((name) => existsSync(new URL(name, root)));
  return path === undefined ? '–' : `[●](${path})`;
}

/** Families by layers, and why a family has no part on a layer. */
export function mapText(): string {
  const rows = familyNames.map((family) => [
    `**${family}**: ${families[family].about}`,
    ...layerNames.map((layer) => cell(layer, family)),
  ]);
  const reasons = familyNames.flatMap((family) => {
    const why = new Map<string, string[]>();
    const { without = {} } = families[family] as Family;
    for (const [layer, reason] of Object.entries(without))
      why.set(reason, [...(why.get(reason) ?? []), `\`${layer}\``]);
    return [...why].map(([reason, where]) => `- ${family}, no part in ${where.join(', ')}: ${reason}.`);
  });
  return `${table(['family', ...layerNames.map((layer) => `\`${layer}\``)], rows)}\n\n${reasons.join('\n')}`;
}

/** Every layer, in the order in which they may import: a row names only rows above it. */
export function layersText(): string {
  const rows = Object.entries(layers as { readonly [name: string]: Layer }).map(([name, { paths, what, imports }]) => [
    name,
    paths.length > 3 ? `${code(paths[0])}, …` : paths.map(code).join(', '),
    what,
    imports.join(', ') || '–',
  ]);
  return table(['layer', 'where', 'what', 'may import'], rows);
}

const code = (path: string): string => `\`${path}\``;

const tables: { readonly [name: string]: () => string } = { map: mapText, layers: layersText };

/** The page with its generated parts made anew. */
export function withTables(page: string): string {
  return page.replace(
    /(<!-- generated: (\w+) -->\n)[\s\S]*?(\n<!-- end -->)/g,
    (_, begin: string, name: string, end: string) => `${begin}\n${tables[name]()}\n${end}`,
  );
}
