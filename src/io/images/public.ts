// The exports of convlet/images on every runtime; the entries add `decodeImage`.
export type { DecodeOptions, PictureSource } from './decode.ts';
export { drawBox, drawPolygon, type Point } from './draw.ts';
export { type Color, cropImage, type Padding, padImage } from './edit.ts';
export { encodeJpeg, encodePng } from './encode.ts';
export { type ImageHeader, readImageHeader } from './header.ts';
export { type Channels, convertChannels, type Image } from './image.ts';
export { type ResizeMode, type ResizeOptions, resizeImage } from './resize.ts';
export type { CanvasLike, DrawableLike, ImageDataLike, PictureLike } from './sources.ts';
export { type ImageTensor, type ImageTensorOptions, imageToTensor, tensorToImage } from './tensor.ts';
