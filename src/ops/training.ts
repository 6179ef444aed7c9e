// Every op, gradients, losses and updates included; inference does without this file and what it imports.
import './index.ts';
import './elementwise/assign.ts';
import './conv/conv-weight-grad.ts';
import './copy/copy-grad.ts';
import './loss/ctc.ts';
import './reduce/cumulative-grad.ts';
import './random/dropout.ts';
import './copy/gather-grad.ts';
import './loss/loss.ts';
import './optimizer/optimizer.ts';
import './pool/pool-grad.ts';
import './norm/norm-grad.ts';
import './quantize/quantize.ts';
import './sample/sample-grad.ts';
import './reduce/softmax-grad.ts';
import './elementwise/unary-grad.ts';
import './conv/unfold.ts';

export { getOp } from './core/registry.ts';
