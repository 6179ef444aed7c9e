// Every op that networks are made of: importing this fills the registry. training.ts adds what only training needs.
import './elementwise/binary.ts';
import './elementwise/cast.ts';
import './conv/conv.ts';
import './conv/conv-transpose.ts';
import './copy/copy.ts';
import './copy/depth-to-space.ts';
import './sample/detection.ts';
import './copy/gather.ts';
import './copy/mask.ts';
import './matmul/matmul.ts';
import './pool/max-unpool.ts';
import './copy/pad.ts';
import './pool/pool.ts';
import './interpolate/interpolate.ts';
import './norm/norm.ts';
import './reduce/reduce.ts';
import './copy/reshape.ts';
import './sample/sample.ts';
import './copy/scatter.ts';
import './copy/select.ts';
import './reduce/softmax.ts';
import './reduce/sort.ts';
import './elementwise/unary.ts';

export { getOp } from './core/registry.ts';
