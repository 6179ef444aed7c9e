import * as ops from '../../../src/ops/interpolate/interpolate-grad.ts';
import { opTests } from '../harness.ts';

opTests('interpolate-grad', ops);
