/** Side of the square patches in which models see an image, and the most patches that one image may take. */
const PATCH = 32;
const MAX_PATCHES = 1536;
/** Assumed for a picture whose size cannot be read, such as one given by URL: 1024 × 1024. */
const UNKNOWN_IMAGE_TOKENS = 1024;

/**
 * Tokens of one input image by its pixel size
 * (https://platform.openai.com/docs/guides/images-vision#calculating-costs): 32-pixel patches, scaled down to the cap.
 * @param url a `data:` URL, or any other, of which the size is not known.
 */
export function imageTokens(url: string, detail: unknown): number {
  if (detail === "low") return 256;
  const size = url.startsWith("data:") ? sizeOf(url) : undefined;
  if (!size) return UNKNOWN_IMAGE_TOKENS;
  return Math.min(MAX_PATCHES, Math.ceil(size.width / PATCH) * Math.ceil(size.height / PATCH));
}

interface Size {
  width: number;
  height: number;
}

/** Pixel size from the header of a PNG, GIF, JPEG or WebP in a base64 `data:` URL; only the start is decoded. */
function sizeOf(url: string): Size | undefined {
  const start = url.indexOf("base64,");
  if (start < 0) return undefined;
  let bytes: Uint8Array;
  try {
    // A JPEG's size may stand behind a thumbnail of up to 64 KB.
    const head = url.slice(start + 7, start + 7 + 96 * 1024);
    bytes = Uint8Array.from(atob(head.slice(0, head.length - (head.length % 4))), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
  if (bytes.length < 30) return undefined;
  const view = new DataView(bytes.buffer);
  if (view.getUint32(0) === 0x89504e47) return { width: view.getUint32(16), height: view.getUint32(20) };
  if (view.getUint32(0) === 0x47494638) return { width: view.getUint16(6, true), height: view.getUint16(8, true) };
  if (view.getUint32(0) === 0x52494646) return webpSize(view);
  if (view.getUint16(0) === 0xffd8) return jpegSize(view);
  return undefined;
}

function webpSize(view: DataView): Size | undefined {
  const kind = view.getUint32(12);
  if (kind === 0x56503820)
    return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  if (kind === 0x5650384c) {
    const bits = view.getUint32(21, true);
    return { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 };
  }
  if (kind === 0x56503858) {
    const at = (offset: number) => (view.getUint16(offset, true) | (view.getUint8(offset + 2) << 16)) + 1;
    return { width: at(24), height: at(27) };
  }
  return undefined;
}

/** Walks the JPEG's segments to the frame header (SOF), which holds height and width. */
function jpegSize(view: DataView): Size | undefined {
  let at = 2;
  while (at + 9 < view.byteLength && view.getUint8(at) === 0xff) {
    const marker = view.getUint8(at + 1);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    at += 2 + view.getUint16(at + 2);
  }
  return undefined;
}
