'use client';
import { useEffect } from 'react';
import { probe } from '../../../probe.mjs';

export default function Page() {
  useEffect(() => {
    globalThis.report ??= probe();
  }, []);
  return <p>The report is a promise of the page.</p>;
}
