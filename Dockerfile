# deploy-stand for cron and CI: docker build -t deploy-stand . && docker run --rm deploy-stand --help
# Files of the class are mounted: docker run --rm -v "$PWD:/work" -e PVE_HOST -e PVE_TOKEN_ID -e PVE_TOKEN_SECRET deploy-stand status
FROM node:20-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --ignore-scripts
COPY src src
COPY schemas schemas
COPY starters starters
COPY examples/clusters examples/clusters
COPY tools tools
RUN node tools/bundle.mjs /out/deploy-stand

FROM node:20-slim
COPY --from=build /out/deploy-stand /usr/local/bin/deploy-stand
# Not root: what it writes belongs to this account. For a mounted folder of yours add --user "$(id -u):$(id -g)".
USER node
WORKDIR /work
ENTRYPOINT ["deploy-stand"]
CMD ["--help"]
