import * as ops from '../../../src/ops/loss/loss.ts';
import { crossEntropyOps } from '../../../src/ops/loss/loss.ts';
import { opTests } from '../harness.ts';

opTests('loss', [...crossEntropyOps, ops.crossEntropyGrad]);
