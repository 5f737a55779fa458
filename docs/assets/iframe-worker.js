/* Search in pages that were opened from a disk: browsers refuse workers of file: addresses, a frame is allowed. */
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(address) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.append(frame);
      this.inside = frame.contentWindow;
      this.inside.postMessage_ = (data) => {
        const event = new MessageEvent("message", { data });
        this.dispatchEvent(event);
        if (this.onmessage) this.onmessage(event);
      };
      const page = this.inside.document;
      page.open();
      page.write(
        "<script>postMessage = postMessage_;" +
          "importScripts = (...all) => all.reduce((before, each) => before.then(() => new Promise((done) => {" +
          "const script = document.createElement('script'); script.src = each; script.onload = done;" +
          "document.head.append(script); })), Promise.resolve());" +
          "</script><script src='" + address + "'></script>"
      );
      page.close();
      this.loaded = new Promise((done) => frame.addEventListener("load", done));
    }
    postMessage(data) {
      this.loaded.then(() => this.inside.dispatchEvent(new MessageEvent("message", { data })));
    }
    terminate() {
      this.inside.frameElement.remove();
    }
  };
}
