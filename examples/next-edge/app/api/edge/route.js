// Next's edge runtime (deprecated by Next): the kernels are modules that the build compiles, the model is fetched.
import { answer } from '../../classify.js';

export const runtime = 'edge';
export const POST = (request) => answer(request, new URL('/shapes.onnx', request.url));
