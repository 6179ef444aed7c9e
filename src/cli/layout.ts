// The places of the nodes in a drawing of a network: layers from top to bottom, few crossings, straight lines where possible (Sugiyama
// et al. 1981, "Methods for visual understanding of hierarchical system structures").

export interface Box {
  readonly width: number;
  readonly height: number;
}

export interface Edge {
  readonly from: number;
  readonly to: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Placement {
  /** Centre of each box. */
  readonly centers: readonly Point[];
  /** The line of each edge: from the lower side of a box, through the gaps between others, to the upper side of a box. */
  readonly lines: readonly (readonly Point[])[];
  readonly width: number;
  readonly height: number;
}

const gap = { x: 24, y: 36 };
/** The width of a line that passes between boxes. */
const lane = 6;
const sweeps = 12;

/** A box, or a place where an edge passes a layer. */
interface Cell {
  readonly width: number;
  readonly height: number;
  readonly rank: number;
  readonly up: Cell[];
  readonly down: Cell[];
  x: number;
  y: number;
}

/** `edges` go from earlier boxes to later ones. */
export function placeBoxes(boxes: readonly Box[], edges: readonly Edge[]): Placement {
  const ranks = ranksOf(boxes.length, edges);
  const cells: Cell[] = boxes.map((box, i) => ({ ...box, rank: ranks[i], up: [], down: [], x: 0, y: 0 }));
  const layers: Cell[][] = Array.from({ length: Math.max(0, ...ranks) + 1 }, () => []);
  cells.forEach((cell) => layers[cell.rank].push(cell));
  // Edges from one box to several others share a lane as far as possible.
  const lanes = new Map<number, Cell[]>();
  const routes = edges.map(({ from, to }) => {
    const passed = lanes.get(from) ?? [];
    lanes.set(from, passed);
    const route: Cell[] = [cells[from]];
    for (let rank = ranks[from] + 1; rank < ranks[to]; rank++) {
      const at = rank - ranks[from] - 1;
      if (passed[at] === undefined) {
        passed[at] = { width: lane, height: 0, rank, up: [], down: [], x: 0, y: 0 };
        layers[rank].push(passed[at]);
        join(route[route.length - 1], passed[at]);
      }
      route.push(passed[at]);
    }
    join(route[route.length - 1], cells[to]);
    return [...route, cells[to]];
  });
  order(layers);
  setColumns(layers);
  const height = setRows(layers);
  const all = layers.flat();
  const left = Math.min(...all.map(({ x, width }) => x - width / 2)) - gap.x;
  for (const cell of all) cell.x -= left;
  return {
    centers: cells.map(({ x, y }) => ({ x, y })),
    lines: routes.map((route) =>
      route.map(({ x, y, height: tall }, i) => {
        const side = i === 0 ? tall / 2 : i === route.length - 1 ? -tall / 2 : 0;
        return { x, y: y + side };
      }),
    ),
    width: Math.max(0, ...all.map(({ x, width }) => x + width / 2)) + gap.x,
    height,
  };
}

function join(upper: Cell, lower: Cell): void {
  upper.down.push(lower);
  lower.up.push(upper);
}

/** The rank of a box is one more than the greatest rank of its predecessors. */
function ranksOf(count: number, edges: readonly Edge[]): number[] {
  const ranks = new Array<number>(count).fill(0);
  const sorted = [...edges].sort((a, b) => a.to - b.to);
  for (const { from, to } of sorted) ranks[to] = Math.max(ranks[to], ranks[from] + 1);
  return ranks;
}

/** Orders the cells of each layer by the middle of their neighbours, alternately those above and those below. */
function order(layers: Cell[][]): void {
  const place = new Map<Cell, number>();
  const note = (layer: readonly Cell[]): void => layer.forEach((cell, i) => place.set(cell, i));
  layers.forEach(note);
  const middle = (cell: Cell, neighbours: readonly Cell[]): number =>
    neighbours.length === 0
      ? place.get(cell)!
      : neighbours.reduce((sum, other) => sum + place.get(other)!, 0) / neighbours.length;
  const sort = (layer: Cell[], side: 'up' | 'down'): void => {
    const keys = new Map(layer.map((cell) => [cell, middle(cell, cell[side])]));
    layer.sort((a, b) => keys.get(a)! - keys.get(b)!);
    note(layer);
  };
  for (let i = 0; i < sweeps; i++) {
    if (i % 2 === 0) layers.forEach((layer) => sort(layer, 'up'));
    else for (let at = layers.length - 1; at >= 0; at--) sort(layers[at], 'down');
  }
  layers.forEach((layer) => sort(layer, 'up'));
}

/** Sets x: as near as possible to the mean of the neighbours, without a change of order and without overlap. */
function setColumns(layers: readonly Cell[][]): void {
  for (const layer of layers) spread(layer, () => 0);
  const mean = (cells: readonly Cell[], otherwise: number): number =>
    cells.length === 0 ? otherwise : cells.reduce((sum, { x }) => sum + x, 0) / cells.length;
  for (let i = 0; i < 4 * sweeps; i++) {
    const sides = i % 4 === 3 ? (cell: Cell) => [...cell.up, ...cell.down] : null;
    const down = i % 2 === 0;
    const side = (cell: Cell): readonly Cell[] => sides?.(cell) ?? (down ? cell.up : cell.down);
    const list = down ? layers : [...layers].reverse();
    for (const layer of list) spread(layer, (cell) => mean(side(cell), cell.x));
  }
}

/** Least squares with least distances between neighbours: isotonic regression by pooling adjacent violators. */
function spread(layer: readonly Cell[], wanted: (cell: Cell) => number): void {
  const offsets: number[] = [];
  layer.forEach(({ width }, i) => {
    offsets.push(i === 0 ? 0 : offsets[i - 1] + layer[i - 1].width / 2 + width / 2 + gap.x);
  });
  const pools: { sum: number; count: number }[] = [];
  layer.forEach((cell, i) => {
    pools.push({ sum: wanted(cell) - offsets[i], count: 1 });
    for (let n = pools.length; n > 1; n = pools.length) {
      const [a, b] = [pools[n - 2], pools[n - 1]];
      if (a.sum / a.count <= b.sum / b.count) break;
      pools.splice(n - 2, 2, { sum: a.sum + b.sum, count: a.count + b.count });
    }
  });
  let at = 0;
  for (const { sum, count } of pools)
    for (const end = at + count; at < end; at++) layer[at].x = sum / count + offsets[at];
}

/** Sets y, from top to bottom; returns the total height. */
function setRows(layers: readonly Cell[][]): number {
  let top = gap.y / 2;
  for (const layer of layers) {
    const height = Math.max(0, ...layer.map((cell) => cell.height));
    for (const cell of layer) cell.y = top + height / 2;
    top += height + gap.y;
  }
  return top - gap.y / 2;
}
