// What makes a page cross-origin isolated, which threads need. A server of your own has to send the same two headers.
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export default {
  server: { headers },
  preview: { headers },
  worker: { format: 'es' },
};
