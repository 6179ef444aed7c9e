import { type BenchSuite, data } from '../op-suite.ts';

export default {
  name: 'softmax',
  cases: [
    { name: 'softmax 1×1000', op: 'softmax', attrs: { axis: -1 }, inputs: [data(1, 1000)] },
    { name: 'softmax 1024×1000', op: 'softmax', attrs: { axis: -1 }, inputs: [data(1024, 1000)] },
    { name: 'log-softmax 1024×1000', op: 'logSoftmax', attrs: { axis: -1 }, inputs: [data(1024, 1000)] },
    { name: 'softmax over channels 21 @112', op: 'softmax', attrs: { axis: 1 }, inputs: [data(1, 21, 112, 112)] },
  ],
} satisfies BenchSuite;
