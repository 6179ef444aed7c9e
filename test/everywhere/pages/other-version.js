// What the file worker.js of another version answers.
self.onmessage = () => self.postMessage('0123456789ab');
