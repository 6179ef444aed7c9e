// The page: gives pictures to the worker and shows what it answers.
const find = (id) => document.getElementById(id);

const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });

/** Asks the worker, and resolves with its answer. It answers in the order in which it is asked. */
const waiting = [];
function ask(picture, transfer = []) {
  worker.postMessage(picture, transfer);
  return new Promise((resolve) => waiting.push(resolve));
}
worker.onmessage = ({ data }) => waiting.shift()(data);
worker.onerror = ({ message }) => show({ error: message });

function show({ top = [], text, error }) {
  const rows = top.map(({ label, confidence }) => {
    const row = document.createElement('tr');
    row.append(cell(label), cell(`${(100 * confidence).toFixed(1)} %`));
    return row;
  });
  find('answer').replaceChildren(...rows);
  find('status').textContent = error ?? text;
}

function cell(text) {
  const made = document.createElement('td');
  made.textContent = text;
  return made;
}

find('file').onchange = async ({ target }) => {
  if (target.files.length > 0) show(await ask(target.files[0]));
};

find('camera').onclick = async () => {
  const video = find('video');
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
  } catch (error) {
    show({ error: `no camera: ${error.message}` });
    return;
  }
  video.hidden = false;
  await video.play();
  // The next picture is taken when the last one is answered, so none waits.
  for (;;) {
    const frame = await createImageBitmap(video);
    show(await ask(frame, [frame]));
    await new Promise(requestAnimationFrame);
  }
};

show(await ask(null));
