// What the two builds of ONNX Runtime have in common.
export async function createSession(ort, options, { modelPath, input }) {
  const session = await ort.InferenceSession.create(modelPath, options);
  const feeds = { [input.name]: new ort.Tensor('float32', input.data, input.shape) };
  const [output] = session.outputNames;
  return {
    async run() {
      return (await session.run(feeds))[output].data;
    },
    rows: (result) => result,
    dispose: () => session.release(),
  };
}
