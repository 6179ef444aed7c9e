// Import maps do not reach into workers.
import * as convlet from '../convlet/index.js';
import * as lib from '../convlet/train.js';
import { work } from './work.mjs';

self.onmessage = async ({ data }) => self.postMessage(await work(data, convlet, lib));
