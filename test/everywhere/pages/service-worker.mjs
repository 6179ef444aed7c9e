// import() is forbidden here: the entry `static`, and what the usual one says about it.
import * as convlet from '../convlet/index.js';
import * as fixed from '../convlet/runtime/static.js';
import { work } from './work.mjs';

self.onmessage = ({ data, ports: [port] }) =>
  work(data, data.entry === 'static' ? fixed : convlet).then((report) => port.postMessage(report));
