# One image, several roles: `docker run fairway api`, `docker run fairway worker`. The role is the first argument and
# names dist/apps/<role>/main.js; what follows goes to it (`api bootstrap`).

FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build

FROM node:24-bookworm-slim AS dependencies
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

FROM node:24-bookworm-slim
# git: mirrors and promotions; openssh-client: ssh remotes; tini: reaps what git leaves behind; etcd and its tools: restore
# drills of backups, in scratch members on loopback.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates etcd-client etcd-server git openssh-client tini \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
ENV NODE_ENV=production \
    FAIRWAY_HOST=0.0.0.0 \
    FAIRWAY_GIT_DIR=/var/lib/fairway/git \
    FAIRWAY_CLUSTER_CREDENTIALS_DIR=/etc/fairway/clusters
COPY --from=dependencies /src/node_modules ./node_modules
COPY package.json ./
COPY migrations ./migrations
COPY --from=build /src/dist ./dist
COPY apps/api/contract ./apps/api/contract
COPY docs/api ./docs/api
# Only the sandbox role reads these two; it looks for its policy beside its own directory.
COPY test/fixtures/config-repo ./test/fixtures/config-repo
COPY apps/sandbox/policy ./dist/apps/policy
RUN mkdir -p /var/lib/fairway/git /etc/fairway/clusters && chown -R node:node /var/lib/fairway
USER node
EXPOSE 8080
ENTRYPOINT ["/usr/bin/tini", "--", "/bin/sh", "-c", "exec node --enable-source-maps --max-semi-space-size=8 \"dist/apps/$0/main.js\" \"$@\""]
CMD ["api"]
