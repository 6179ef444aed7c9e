// The probe in a Worker of workerd.
import { probe } from './probe.mjs';

export default {
  fetch: async () => Response.json(await probe()),
};
