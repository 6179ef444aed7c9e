import * as family from '../../../src/ops/pool/pool-grad.ts';
import { opTests } from '../harness.ts';

opTests('pool-grad', family);
