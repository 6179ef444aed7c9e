// Every op, gradients, losses and updates included; inference does without this file and what it imports.
import './index.ts';
import './assign.ts';
import './conv-weight-grad.ts';
import './copy-grad.ts';
import './ctc.ts';
import './cumulative-grad.ts';
import './dropout.ts';
import './gather-grad.ts';
import './loss.ts';
import './optimizer.ts';
import './pool-grad.ts';
import './norm-grad.ts';
import './quant.ts';
import './sample-grad.ts';
import './softmax-grad.ts';
import './unary-grad.ts';
import './unfold.ts';
import './training-prims.ts';

export { getOp } from './registry.ts';
