import { scriptUrl } from '../engine/trusted';

/** The service worker: keeps the UI for times without a network, and says when there is a newer one. */
class Update {
  ready = $state(false);
  #waiting: ServiceWorker | null = null;
  #asked = false;

  start(): void {
    if (!('serviceWorker' in navigator) || import.meta.env.DEV) return;
    // Only after the person agreed: a page must not change under somebody who is typing.
    navigator.serviceWorker.addEventListener('controllerchange', () => {
      if (this.#asked) location.reload();
    });
    navigator.serviceWorker
      .register(scriptUrl('/sw.js'))
      .then((registration) => this.#watch(registration))
      // Private windows refuse; everything works without it, but for the offline start.
      .catch(() => undefined);
  }

  /** Loads the new version. */
  apply(): void {
    this.#asked = true;
    this.#waiting?.postMessage('weft:activate');
  }

  #watch(registration: ServiceWorkerRegistration): void {
    const look = (): void => {
      if (!registration.waiting || !navigator.serviceWorker.controller) return;
      this.#waiting = registration.waiting;
      this.ready = true;
    };
    look();
    registration.addEventListener('updatefound', () => registration.installing?.addEventListener('statechange', look));
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') registration.update().catch(() => undefined);
    });
  }
}

export const update = new Update();
