import * as family from '../../../src/ops/norm/norm-grad.ts';
import { opTests } from '../harness.ts';

opTests('norm-grad', family);
