import * as ops from '../../src/ops/quant.ts';
import { opTests } from './harness.ts';

opTests('quant', ops);
