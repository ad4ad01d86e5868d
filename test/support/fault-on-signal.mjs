// Loaded before the server: at SIGUSR2 an error is thrown and a promise rejected where nobody catches them.
process.on("SIGUSR2", () => {
  void Promise.reject(new Error("planted rejection"));
  setTimeout(() => {
    throw new Error("planted exception");
  });
});
