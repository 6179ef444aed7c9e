import * as family from '../../src/ops/norm-grad.ts';
import { opTests } from './harness.ts';

opTests('norm-grad', family);
