// A network as a picture, `convlet inspect MODEL --svg FILE`, and as a page to move, zoom and click in, `--html FILE`.
import { shapeText } from '../common/error.ts';
import type { Graph, Value } from '../graph/graph.ts';
import { attributesText } from './attributes.ts';
import { type Edge, type Placement, type Point, placeBoxes } from './layout.ts';
import { grouped } from './table.ts';

/** A layer as it is drawn. */
export interface DrawnLayer {
  readonly name: string;
  readonly op: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly attributes: object;
  readonly parameters: number;
  readonly macs: number;
  readonly runs: string;
  readonly ms: number | null;
}

interface Drawn {
  readonly lines: readonly [string, ...string[]];
  /** The text that a click, or the pointer over the layer, shows. */
  readonly details: string;
  readonly color: string;
}

const character = 7;
const lineHeight = 15;

/** Colours by op. */
const colors: readonly (readonly [ops: RegExp, color: string])[] = [
  [/^conv|^deform/, '#cfe3ff'],
  [/^matmul|^gemm/, '#d9d4ff'],
  [/pool/i, '#d3f2dc'],
  [/norm/i, '#fff0c2'],
  [/^(concat|slice|split|reshape|transpose|pad|gather|expand|tile|copy)/, '#ececec'],
  [/^(interpolate|resize|gridSample)/, '#ffdff2'],
];

/** `timed`: layers are coloured by their time, not by their op. */
export function drawNetwork(graph: Graph, layers: readonly DrawnLayer[], timed: boolean): string {
  const longest = Math.max(...layers.map(({ ms }) => ms ?? 0), 1e-9);
  const inputs = graph.inputs.map((value) => endOf('input', value.name, value));
  const outputs = graph.outputs.map(({ name, value }) => endOf('output', name, value));
  const drawn = [...inputs, ...layers.map((layer) => drawnLayer(layer, timed ? longest : null)), ...outputs];
  const boxes = drawn.map(({ lines }) => ({
    width: Math.max(...lines.map((line) => line.length)) * character + 16,
    height: lines.length * lineHeight + 10,
  }));
  const placement = placeBoxes(boxes, edgesOf(graph));
  const nodes = drawn.map(({ lines, details, color }, i) => {
    const { x, y } = placement.centers[i];
    const { width, height } = boxes[i];
    const top = y - height / 2 + lineHeight + 1;
    const text = lines.map(
      (line, n) => `<tspan x="${round(x)}" y="${round(top + n * lineHeight)}">${escaped(line)}</tspan>`,
    );
    const rect = `<rect x="${round(x - width / 2)}" y="${round(y - height / 2)}" width="${round(width)}" height="${round(height)}" rx="5" fill="${color}"/>`;
    return `<g class="node"><title>${escaped(details)}</title>${rect}<text>${text.join('')}</text></g>`;
  });
  return svgOf(placement, nodes);
}

function endOf(kind: string, name: string, { dtype, shape }: Value): Drawn {
  const type = `${dtype} ${shapeText(shape)}`;
  return { lines: [name, type], details: `${kind} ${name}\n${type}`, color: '#ffffff' };
}

function drawnLayer(layer: DrawnLayer, longest: number | null): Drawn {
  const { name, op, dtype, shape, attributes, parameters, macs, runs, ms } = layer;
  const type = `${dtype} ${shapeText(shape)}`;
  const details = [
    ...[name, op, type],
    ...(parameters > 0 ? [`parameters ${grouped(parameters)}`] : []),
    ...(macs > 0 ? [`MACs ${grouped(macs)}`] : []),
    ...[`runs: ${runs}`, attributesText(attributes)],
    ...(ms === null ? [] : [`${ms.toFixed(3)} ms${longest === null ? ' (estimated)' : ''}`]),
  ].filter((line) => line !== '');
  const plain = dtype === 'float32' ? shapeText(shape) : type;
  const time = longest !== null && ms !== null ? [`${ms.toFixed(3)} ms`] : [];
  const known = colors.find(([ops]) => ops.test(op))?.[1] ?? '#f7f7f7';
  const color = longest === null ? known : heat((ms ?? 0) / longest);
  return { lines: [op, plain, ...time], details: details.join('\n'), color };
}

/** White to red. */
function heat(share: number): string {
  const mix = (to: number): number => Math.round(255 + (to - 255) * Math.sqrt(Math.max(0, Math.min(1, share))));
  return `rgb(${mix(240)},${mix(96)},${mix(72)})`;
}

/** Boxes are the inputs, the nodes, the outputs, in this order. */
function edgesOf(graph: Graph): Edge[] {
  const makers = new Map<Value, number>();
  graph.inputs.forEach((value, i) => makers.set(value, i));
  const first = graph.inputs.length;
  graph.nodes.forEach((node, i) => node.outputs.forEach((value) => makers.set(value, first + i)));
  const edges = new Map<string, Edge>();
  const add = (value: Value | null, to: number): void => {
    const from = value === null ? undefined : makers.get(value);
    if (from !== undefined) edges.set(`${from} ${to}`, { from, to });
  };
  graph.nodes.forEach((node, i) => node.inputs.forEach((value) => add(value, first + i)));
  graph.outputs.forEach(({ value }, i) => add(value, first + graph.nodes.length + i));
  return [...edges.values()];
}

const round = (value: number): string => String(Math.round(value * 10) / 10);

/** XML allows no control characters except tab and newline. */
const escaped = (text: string): string =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those that XML refuses
    .replace(/[\x00-\x08\x0b-\x1f\x7f]/g, ' ')
    .replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!);

/** A curve through all points that is vertical at each. */
function pathOf([start, ...rest]: readonly Point[]): string {
  let from = start;
  const parts = rest.map((to) => {
    const middle = round((from.y + to.y) / 2);
    const part = `C${round(from.x)} ${middle} ${round(to.x)} ${middle} ${round(to.x)} ${round(to.y)}`;
    from = to;
    return part;
  });
  return `<path d="M${round(start.x)} ${round(start.y)}${parts.join('')}"/>`;
}

function svgOf({ lines, width, height }: Placement, nodes: readonly string[]): string {
  const size = `width="${round(width)}" height="${round(height)}" viewBox="0 0 ${round(width)} ${round(height)}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="ui-monospace, Menlo, Consolas, monospace" font-size="11.5">
<rect width="100%" height="100%" fill="#ffffff"/>
<g fill="none" stroke="#8a8f98" stroke-width="1.2">
${lines.map(pathOf).join('\n')}
</g>
<g stroke="#5b6169" text-anchor="middle">
<style>text{stroke:none;fill:#1c1f23}</style>
${nodes.join('\n')}
</g>
</svg>
`;
}

/** The picture in a page: drag to move, wheel to zoom, click a layer for its details. No network, no library. */
export function pageOf(title: string, svg: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${escaped(title)}</title>
<style>
html,body{margin:0;height:100%;overflow:hidden;background:#fff;font:13px ui-monospace,Menlo,Consolas,monospace}
svg{position:absolute;transform-origin:0 0;cursor:grab}
.node{cursor:pointer}.node:hover rect,.chosen rect{stroke-width:2.5}
#details{position:fixed;right:12px;top:12px;max-width:40%;padding:10px;background:#fffffff0;border:1px solid #5b6169;border-radius:5px;white-space:pre-wrap;overflow-wrap:anywhere}
</style>
${svg}<div id="details">${escaped(title)}
drag to move, wheel to zoom, click a layer</div>
<script>
const svg = document.querySelector('svg'), details = document.getElementById('details');
let scale = Math.min(1, innerWidth / svg.clientWidth), x = (innerWidth - svg.clientWidth * scale) / 2, y = 0, from = null;
const move = () => { svg.style.transform = 'translate(' + x + 'px,' + y + 'px) scale(' + scale + ')'; };
move();
addEventListener('wheel', (e) => {
  e.preventDefault();
  const factor = Math.exp(-e.deltaY / 500);
  x = e.clientX - (e.clientX - x) * factor;
  y = e.clientY - (e.clientY - y) * factor;
  scale *= factor;
  move();
}, { passive: false });
addEventListener('pointerdown', (e) => { from = [e.clientX - x, e.clientY - y]; });
addEventListener('pointermove', (e) => { if (from) { x = e.clientX - from[0]; y = e.clientY - from[1]; move(); } });
addEventListener('pointerup', () => { from = null; });
svg.addEventListener('click', (e) => {
  const node = e.target.closest('.node');
  if (!node) return;
  document.querySelector('.chosen')?.classList.remove('chosen');
  node.classList.add('chosen');
  details.textContent = node.querySelector('title').textContent;
});
</script>
</html>
`;
}
