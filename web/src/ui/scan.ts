import { BarcodeDetector, prepareZXingModule } from 'barcode-detector/ponyfill';
import wasmUrl from 'zxing-wasm/reader/zxing_reader.wasm?url';

// The reader's wasm is a file of this build; by itself it would ask another host for it.
prepareZXingModule({ overrides: { locateFile: (file: string, prefix: string) => (file.endsWith('.wasm') ? wasmUrl : prefix + file) } });

const detector = new BarcodeDetector({ formats: ['qr_code'] });
/** Between two looks at the picture of the camera. */
const LOOK_MS = 150;
/** A photo of a phone is larger than a code needs. */
const IMAGE_EDGE_MAX = 2_000;

/** What the first code in a picture says; none when there is none. */
export async function readImage(file: Blob): Promise<string | null> {
  const full = await createImageBitmap(file);
  const scale = Math.min(1, IMAGE_EDGE_MAX / Math.max(full.width, full.height));
  const image = scale < 1 ? await createImageBitmap(full, { resizeWidth: Math.round(full.width * scale), resizeHeight: Math.round(full.height * scale) }) : full;
  const [code] = await detector.detect(image);
  return code?.rawValue ?? null;
}

/** Looks through the camera until a code is seen that fits, or the signal ends it. */
export async function readCamera(video: HTMLVideoElement, signal: AbortSignal, fits: (text: string) => boolean): Promise<string | null> {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' }, audio: false });
  const stop = (): void => stream.getTracks().forEach((track) => track.stop());
  if (signal.aborted) {
    stop();
    return null;
  }
  signal.addEventListener('abort', stop);
  try {
    video.srcObject = stream;
    await video.play();
    return await lookFor(video, signal, fits);
  } finally {
    stop();
  }
}

async function lookFor(video: HTMLVideoElement, signal: AbortSignal, fits: (text: string) => boolean): Promise<string | null> {
  while (!signal.aborted) {
    const [code] = video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA ? await detector.detect(video) : [];
    if (code && !signal.aborted && fits(code.rawValue)) return code.rawValue;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return null;
}
