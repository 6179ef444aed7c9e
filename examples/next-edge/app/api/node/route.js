// Next's Node runtime, the default: convlet is its entry for Node, with threads and files, and sharp decodes if it is installed.
import { join } from 'node:path';
import { answer } from '../../classify.js';

export const POST = (request) => answer(request, join(process.cwd(), 'public/shapes.onnx'));
