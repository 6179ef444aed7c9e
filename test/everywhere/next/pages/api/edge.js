// On the edge runtime; as a page, since Next builds no app routes for that runtime by webpack.
import { probe } from '../../probe.mjs';

export const config = { runtime: 'edge' };
export default async () => Response.json(await probe());
