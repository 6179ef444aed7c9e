// On Node.
import { probe } from '../../../probe.mjs';

export const dynamic = 'force-dynamic';
export const GET = async () => Response.json(await probe());
