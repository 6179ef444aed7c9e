// By what the address asks for (?request): the page itself, a worker of it, or a service worker does the work.
import * as convlet from 'convlet';
import * as lib from 'convlet/train';
import { work } from './work.mjs';

const [, query, send] = location.search.match(/^\?([^&]*)(&send)?$/);
const request = JSON.parse(decodeURIComponent(query));

const fromWorker = () =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL('worker.mjs', import.meta.url), { type: 'module' });
    worker.onerror = ({ message }) => reject(new Error(`worker: ${message}`));
    worker.onmessage = ({ data }) => resolve(data);
    worker.postMessage(request);
  });

async function fromServiceWorker() {
  const registration = await navigator.serviceWorker.register('service-worker.mjs', { type: 'module' });
  const worker = registration.active ?? registration.waiting ?? registration.installing;
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => resolve(data);
    worker.postMessage(request, [port2]);
  });
}

/** With each of the options: whether a timer of this page fires while a network runs. */
async function alive() {
  const found = [];
  for (const options of request.options) {
    const model = await convlet.load(request.model, options);
    const [{ name, shape }] = model.inputs;
    const inputs = { [name]: new Float32Array(shape.reduce((a, b) => a * b)) };
    await model.run(inputs); // compiles
    let fired = false;
    setTimeout(() => {
      fired = true;
    });
    await model.run(inputs);
    found.push(fired);
    model.dispose();
  }
  return found;
}

const page = () => work(request, convlet, lib);

globalThis.report = { alive, page, worker: fromWorker, 'service worker': fromServiceWorker }[request.where]();
if (send !== undefined) {
  const report = await globalThis.report.catch((error) => ({ error: String(error) }));
  await fetch('/', { method: 'POST', body: JSON.stringify(report) });
}
