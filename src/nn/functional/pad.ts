import { apply1, type Variable } from '../../autograd/index.ts';
import { ConvletError } from '../../common/error.ts';

const modes = { constant: 'constant', reflect: 'reflect', replicate: 'edge', circular: 'wrap' } as const;
export type PadMode = keyof typeof modes;

/**
 * Pads as torch.nn.functional.pad: `cells` are pairs of begin and end, for the last axis first. Negative ones crop.
 *
 * @throws ConvletError `argument` where there are more pairs than axes, or a mode cannot reach that far
 */
export function pad(x: Variable, cells: readonly number[], mode: PadMode = 'constant', value = 0): Variable {
  if (modes[mode] === undefined)
    throw new ConvletError('argument', `pad: mode expects ${Object.keys(modes).join(' or ')}, got ${String(mode)}`);
  if (cells.length % 2 !== 0 || cells.length > 2 * x.rank)
    throw new ConvletError('argument', `pad: expects pairs for at most ${x.rank} axes, got ${cells.length} numbers`);
  const begin = x.shape.map(() => 0);
  const end = x.shape.map(() => 0);
  for (let i = 0; i < cells.length / 2; i++) {
    begin[x.rank - 1 - i] = cells[2 * i];
    end[x.rank - 1 - i] = cells[2 * i + 1];
  }
  return apply1('pad', [x], { begin, end, mode: modes[mode], value });
}
