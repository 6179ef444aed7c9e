import * as ops from '../../src/ops/max-unpool.ts';
import { opTests } from './harness.ts';

opTests('max-unpool', ops);
