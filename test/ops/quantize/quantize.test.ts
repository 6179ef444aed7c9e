import * as ops from '../../../src/ops/quantize/quantize.ts';
import { opTests } from '../harness.ts';

opTests('quant', ops);
