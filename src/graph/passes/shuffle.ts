import type { GraphEditor } from './editor.ts';

/** reshape [N,g,C/g,…] → transpose of the two → reshape [N,C,…]: a channel shuffle, which keeps channels last. */
export function recogniseShuffle(editor: GraphEditor): void {
  for (const node of [...editor.graph.nodes]) {
    if (node.op.name !== 'reshape') continue;
    const transpose = editor.soleProducer(node.inputs[0], node, 'transpose');
    const split = transpose && editor.soleProducer(transpose.inputs[0], transpose, 'reshape');
    const x = split?.inputs[0];
    if (!transpose || !split || !x) continue;
    const { shape } = split.outputs[0];
    const { perm } = transpose.attrs;
    const swapped = shape.map((_, i) => (i === 1 ? 2 : i === 2 ? 1 : i));
    const whole = [shape[0], shape[1] * shape[2], ...shape.slice(3)].join();
    const fits = x.shape.length >= 3 && x.shape.length <= 5 && perm.join() === swapped.join();
    if (!fits || x.shape.join() !== whole || node.outputs[0].shape.join() !== whole) continue;
    editor.replace(node, 'channelShuffle', [x], { groups: shape[1] });
    editor.removeDead(transpose);
  }
}
