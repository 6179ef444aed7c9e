// The probe in a page; the test waits for the promise.
import { probe } from './probe.mjs';

globalThis.report = probe();
