import * as ops from '../../../src/ops/pool/max-unpool.ts';
import { opTests } from '../harness.ts';

opTests('max-unpool', ops);
