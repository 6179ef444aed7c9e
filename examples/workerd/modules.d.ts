// What the Worker's runtime makes of a file embedded as a data module.
declare module '*.onnx' {
  const bytes: ArrayBuffer;
  export default bytes;
}
