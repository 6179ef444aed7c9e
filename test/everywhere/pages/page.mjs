// By what the address asks for (?request): the page itself, a worker of it, or a service worker does the work.
import * as convlet from 'convlet';
import * as lib from 'convlet/train';
import { work } from './work.mjs';

const request = JSON.parse(decodeURIComponent(location.search.slice(1)));

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

/** The page is alive while a network runs, and says so by the longest time between two of its turns. */
async function page() {
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const report = await work(request, convlet, lib);
  clearInterval(timer);
  return { ...report, ticks: ticks > 0 };
}

globalThis.report = { page, worker: fromWorker, 'service worker': fromServiceWorker }[request.where]();
