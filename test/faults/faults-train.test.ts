// Training brings other kernels of some prims into the process; models must not notice.
import '../../src/runtime/node-train.ts';
import { faultTests } from './fault-tests.ts';

faultTests('models of bug reports beside convlet/train');
