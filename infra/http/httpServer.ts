import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Gateway } from '../../pipeline/gateway.ts';
import { consoleHandlers } from '../console/consoleFiles.ts';
import { addRoute, refuseUnread } from './addRoute.ts';
import { Admission } from './admission.ts';
import { ApiKeys, type ApiKey } from './apiKeys.ts';
import { answerClientError } from './clientError.ts';
import { answerHttpError, type HttpContext } from './httpContext.ts';
import { HTTP_REFUSALS, HttpError, httpError, type HttpRefusalName } from './httpError.ts';
import type { HttpMetrics } from './httpMetrics.ts';
import type { HttpSettings } from './httpSettings.ts';
import type { LiveFeedPort } from './liveFeed.ts';
import { lookBackHandlers } from './lookBackRoutes.ts';
import { modelHandlers } from './modelRoutes.ts';
import { operationHandlers } from './operationRoutes.ts';
import { OPERATIONS, type OperationId } from './operations.ts';
import { paymentHandlers } from './paymentRoutes.ts';
import { ruleHandlers } from './ruleRoutes.ts';
import { stateHandlers } from './stateRoutes.ts';
import { listHandlers } from './listRoutes.ts';
import { snoozeHandlers } from './snoozeRoutes.ts';
import { steeringHandlers } from './steeringRoutes.ts';

export interface HttpServerOptions {
  readonly gateway: Gateway;
  readonly metrics: HttpMetrics;
  readonly liveFeed: LiveFeedPort;
  readonly settings: HttpSettings;
  /** From a payment's acceptance to its fallback. */
  readonly deadlineMs: number;
  readonly apiKeys: readonly ApiKey[];
  readonly logger: Logger;
  /** Sluice's version, for the OpenAPI document. */
  readonly version: string;
}

/** Routes every path of the gateway API (operations.ts). Does not listen yet: see listenHttp. */
export function createHttpServer(options: HttpServerOptions): FastifyInstance {
  const { settings, metrics, liveFeed, logger } = options;
  const context: HttpContext = {
    ...options,
    admission: new Admission({ ...settings, deadlineMs: options.deadlineMs }),
  };
  const keys = new ApiKeys(options.apiKeys);
  const requestIdPrefix = randomBytes(4).toString('hex');
  let requestCount = 0;
  let isClosing = false;

  const app = fastify({
    // Requests are logged below, by route pattern: fastify's own lines hold the URL, and with it ids.
    logger: false,
    genReqId: () => `${requestIdPrefix}-${++requestCount}`,
    bodyLimit: settings.maxBodyBytes,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    requestTimeout: settings.requestTimeoutMs,
    keepAliveTimeout: settings.keepAliveTimeoutMs,
    routerOptions: { maxParamLength: 1024 },
    http: {
      headersTimeout: settings.headersTimeoutMs,
      connectionsCheckingInterval: Math.min(1000, settings.headersTimeoutMs),
      maxHeaderSize: settings.maxHeaderBytes,
      noDelay: true,
    },
    clientErrorHandler: (error, socket) => {
      answerClientError(error, socket, metrics);
    },
    frameworkErrors: (_error, request, reply) => {
      metrics.request('unmatched', 400, 0);
      void answerHttpError(reply, httpError('badRequest')).header('x-request-id', request.id);
    },
  });
  app.server.maxConnections = settings.maxConnections;
  app.server.on('drop', () => {
    metrics.connectionDropped();
  });
  // Node counts a connection that has not asked anything yet as busy and would wait for it when the server stops;
  // browsers and load balancers open such connections in advance.
  const unused = new Set<Socket>();
  app.server.on('connection', (socket) => {
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
  });
  app.server.on('request', ({ socket }) => unused.delete(socket));
  // A client that asks before it sends a large body (as curl does) hears no before it has sent it.
  app.server.on('checkContinue', (request, response) => {
    const isTooLarge = Number(request.headers['content-length'] ?? 0) > largestBody(settings);
    if (!isTooLarge) response.writeContinue();
    app.server.emit('request', request, response);
  });

  app.decorateRequest('apiKey', null);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(['application/json', 'avro/binary'], { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff');
    done(isClosing ? httpError('closing') : undefined);
  });
  app.addHook('onResponse', (request, reply, done) => {
    report(request, reply.statusCode, reply.elapsedTime);
    done();
  });
  app.addHook('preClose', (done) => {
    isClosing = true;
    liveFeed.close();
    for (const socket of unused) socket.destroy();
    const cut = setTimeout(() => {
      app.server.closeAllConnections();
    }, settings.closeTimeoutMs);
    app.server.once('close', () => {
      clearTimeout(cut);
    });
    done();
  });
  app.setErrorHandler((error: FastifyError | HttpError, request, reply) => answerError(error, request, reply));
  app.setNotFoundHandler((request, reply) => answerError(httpError('notFound'), request, reply));

  function answerError(error: FastifyError | HttpError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const answer = error instanceof HttpError ? error : httpError(refusalNameOf(error));
    if (answer.status === 500) {
      // Without the message, which could repeat input.
      const frames = (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at '));
      logger.error({ requestId: request.id, route: routeOf(request), error: error.name, code: error.code, frames });
    }
    if (refuseUnread(request, reply, answer)) {
      report(request, answer.status, reply.elapsedTime);
      return reply;
    }
    return answerHttpError(reply, answer);
  }

  function report(request: FastifyRequest, status: number, durationMs: number): void {
    const route = routeOf(request);
    metrics.request(route, status, durationMs);
    // 503 asks for a retry and is counted; only a 500 is a fault.
    if (status === 500) logger.warn({ requestId: request.id, route, status, durationMs }, 'request failed');
    else if (logger.isLevelEnabled('debug')) logger.debug({ requestId: request.id, route, status, durationMs });
  }

  const handlers = {
    ...paymentHandlers(context),
    ...listHandlers(context),
    ...snoozeHandlers(context),
    ...steeringHandlers(context),
    ...ruleHandlers(context),
    ...modelHandlers(context),
    ...lookBackHandlers(context),
    ...stateHandlers(context),
    ...operationHandlers(context, options.version),
    ...consoleHandlers(),
  };
  for (const operationId of operationIds()) addRoute(app, context, keys, operationId, handlers[operationId]);
  return app;
}

function operationIds(): OperationId[] {
  return Object.values(OPERATIONS).map((operation) => operation.id);
}

function routeOf(request: FastifyRequest): string {
  const { operation } = request.routeOptions.config;
  return operation === undefined ? 'unmatched' : `${operation.method} ${operation.path}`;
}

function largestBody(settings: HttpSettings): number {
  return Math.max(settings.maxBodyBytes, settings.maxBatchBytes, settings.maxModelBytes);
}

function refusalNameOf(error: FastifyError): HttpRefusalName {
  switch (error.statusCode) {
    case HTTP_REFUSALS.bodyTooLarge.status:
      return 'bodyTooLarge';
    case HTTP_REFUSALS.contentType.status:
      return 'contentType';
    default:
      return error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500
        ? 'badRequest'
        : 'internal';
  }
}
