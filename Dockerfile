# codex-api-proxy as a container, without root:
#
#   docker build -t codex-api-proxy .
#   docker run --rm -p 127.0.0.1:8765:8765 -v ~/.codex:/home/node/.codex -e CODEX_PROXY_API_KEY=… codex-api-proxy
#
# The folder with auth.json is mounted writable for uid 1000, since the login is renewed in it. A key is needed, because
# the server listens on all addresses of the container. CODEX_PROXY_* variables are its settings.

FROM node:24-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-slim
ENV NODE_ENV=production \
    CODEX_PROXY_HOST=0.0.0.0 \
    CODEX_PROXY_PORT=8765
WORKDIR /app
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
# Made here, so that volumes mounted on them belong to the user.
RUN install -d -o node -g node -m 0700 /home/node/.codex /home/node/.codex-api-proxy
USER node
EXPOSE 8765
# node is the first process: it takes SIGTERM and lets open requests end.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.CODEX_PROXY_PORT}/health`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/dist/node.js"]
