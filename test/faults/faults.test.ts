import { faultTests } from './fault-tests.ts';

faultTests('models of bug reports');
