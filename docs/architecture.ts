// The tables of ARCHITECTURE.md that `npm run docs` writes between markers: the map of families, the layers' arrows, sizes.
import { existsSync } from 'node:fs';
import { type Family, type FamilyLayer, families, familyLayers, familyNames } from '../scripts/families.ts';
import { type Layer, layers } from '../scripts/layers.ts';
import { sizes } from '../scripts/sizes.ts';
import { table } from './table.ts';

const root = new URL('../', import.meta.url);

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

/** What the package may weigh. */
export function sizesText(): string {
  const amount = (bytes: number): string => (bytes < 1e6 ? `${bytes / 1024} KB` : `${bytes / 1e6} MB`);
  return table(
    ['what', 'at most', 'measured'],
    Object.values(sizes).map(({ what, bytes, how }) => [what, amount(bytes), how]),
  );
}
