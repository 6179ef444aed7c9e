'use client';
import { useState } from 'react';
import { classify } from './classify.js';

/** Who answers: a route of the server, or this page itself. */
const places = {
  'on the server, Node': (file) => post('/api/node', file),
  'on the server, edge': (file) => post('/api/edge', file),
  'in this page': async (file) => classify(new Uint8Array(await file.arrayBuffer()), '/shapes.onnx'),
};

async function post(url, file) {
  const response = await fetch(url, { method: 'POST', body: file });
  return response.json();
}

export default function Page() {
  const [answers, setAnswers] = useState({});

  async function show(file) {
    setAnswers({});
    for (const [place, ask] of Object.entries(places)) {
      const answer = await ask(file).catch((error) => ({ error }));
      setAnswers((others) => ({ ...others, [place]: answer }));
    }
  }

  return (
    <main>
      <h1>Which shape is it?</h1>
      <input
        type="file"
        accept="image/png,image/jpeg"
        onChange={({ target }) => target.files[0] && show(target.files[0])}
      />
      <ul>
        {Object.entries(answers).map(([place, { top, error }]) => (
          <li key={place}>
            {place}: {error ? error.message : `${top[0].label} (${(100 * top[0].confidence).toFixed(1)} %)`}
          </li>
        ))}
      </ul>
    </main>
  );
}
