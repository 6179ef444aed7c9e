/**
 * Packs a weight into panels [groups][⌈columns/8⌉][bias, K rows][8], zero-padded: once if the weight is constant, else as a step of the
 * plan. K runs over the taps of a (strided) kernel, and inside each tap over the channels. Strides in elements of the weight.
 */
@unmanaged
export class PackPanelsDesc {
  weight: usize;
  /** 0 if there is none. */
  bias: usize;
  to: usize;
  columns: i32;
  groupPanels: i32;
  channels: i32;
  kernelD: i32;
  kernelH: i32;
  kernelW: i32;
  groupStride: i32;
  columnStride: i32;
  channelStride: i32;
  strideD: i32;
  strideH: i32;
  strideW: i32;
  alpha: f32;
}

/** Unit of work: one panel. */
export function packPanels(d: PackPanelsDesc, begin: i32, end: i32): void {
  const rows = d.kernelD * d.kernelH * d.kernelW * d.channels;
  const panelBytes = <usize>(rows + 1) << 5;
  for (let panel = begin; panel < end; panel++) {
    const group = panel / d.groupPanels;
    const column = (panel - group * d.groupPanels) << 3;
    const columns = min(8, d.columns - column);
    const to = d.to + panelBytes * panel;
    if (columns < 8) memory.fill(to, 0, panelBytes);
    if (d.bias) {
      memory.copy(to, d.bias + ((group * d.columns + column) << 2), columns << 2);
    } else {
      memory.fill(to, 0, 32);
    }
    const from = d.weight + ((group * d.groupStride + column * d.columnStride) << 2);
    if (columns == 8 && d.columnStride == 1) packRows(d, from, to + 32);
    else if (columns == 8) packEight(d, from, to + 32);
    else packColumns(d, from, to + 32, columns);
  }
}

/** The columns are adjacent in the weight: 8 at a time. */
function packRows(d: PackPanelsDesc, from: usize, to: usize): void {
  const alpha = f32x4.splat(d.alpha);
  const step = <usize>d.channelStride << 2;
  for (let kd = 0; kd < d.kernelD; kd++) {
    for (let kh = 0; kh < d.kernelH; kh++) {
      for (let kw = 0; kw < d.kernelW; kw++) {
        let p = from + ((kd * d.strideD + kh * d.strideH + kw * d.strideW) << 2);
        for (let c = 0; c < d.channels; c++) {
          v128.store(to, f32x4.mul(v128.load(p), alpha));
          v128.store(to, f32x4.mul(v128.load(p, 16), alpha), 16);
          p += step;
          to += 32;
        }
      }
    }
  }
}

/** Eight columns that are not adjacent: one panel row at a time, so that the panel is written in order. */
function packEight(d: PackPanelsDesc, from: usize, to: usize): void {
  const alpha = f32x4.splat(d.alpha);
  const step = <usize>d.channelStride << 2;
  const next = <usize>d.columnStride << 2;
  for (let kd = 0; kd < d.kernelD; kd++) {
    for (let kh = 0; kh < d.kernelH; kh++) {
      for (let kw = 0; kw < d.kernelW; kw++) {
        let p0 = from + ((kd * d.strideD + kh * d.strideH + kw * d.strideW) << 2);
        let p4 = p0 + 4 * next;
        const next3 = next + 2 * next;
        for (let c = d.channels; c > 0; c--) {
          let v = v128.load32_zero(p0);
          let w = v128.load32_zero(p4);
          v = v128.load32_lane(p0 + next, v, 1);
          w = v128.load32_lane(p4 + next, w, 1);
          v = v128.load32_lane(p0 + 2 * next, v, 2);
          w = v128.load32_lane(p4 + 2 * next, w, 2);
          v = v128.load32_lane(p0 + next3, v, 3);
          w = v128.load32_lane(p4 + next3, w, 3);
          v128.store(to, f32x4.mul(v, alpha));
          v128.store(to, f32x4.mul(w, alpha), 16);
          p0 += step;
          p4 += step;
          to += 32;
        }
      }
    }
  }
}

function packColumns(d: PackPanelsDesc, from: usize, to: usize, columns: i32): void {
  const alpha = d.alpha;
  const step = <usize>d.channelStride << 2;
  for (let j = 0; j < columns; j++) {
    const column = from + ((j * d.columnStride) << 2);
    let at = to + (j << 2);
    for (let kd = 0; kd < d.kernelD; kd++) {
      for (let kh = 0; kh < d.kernelH; kh++) {
        for (let kw = 0; kw < d.kernelW; kw++) {
          let p = column + ((kd * d.strideD + kh * d.strideH + kw * d.strideW) << 2);
          for (let c = 0; c < d.channels; c++) {
            store<f32>(at, load<f32>(p) * alpha);
            p += step;
            at += 32;
          }
        }
      }
    }
  }
}
