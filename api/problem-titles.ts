import { FailureType } from '../domain/failures.ts';
import { HttpFailure, type ProblemCode } from '../domain/schemas/api.ts';

export type Language = 'en' | 'zh';

interface ProblemKind {
  readonly status: number;
  readonly title: Readonly<Record<Language, string>>;
}

const kind = (status: number, en: string, zh: string): ProblemKind => ({ status, title: { en, zh } });

/** HTTP status and title of every failure that an answer may carry; the one place where they are decided. */
export const PROBLEM_KINDS: Readonly<Record<ProblemCode, ProblemKind>> = {
  [FailureType.SystemUnavailable]: kind(503, 'A system does not answer', '系统无响应'),
  [FailureType.SystemRefused]: kind(502, 'A system refused the call', '系统拒绝了调用'),
  [FailureType.UnexpectedAnswer]: kind(502, 'A system gave an unexpected answer', '系统返回了意外的结果'),
  [FailureType.NotVerified]: kind(502, 'A change could not be verified', '变更未能核实'),
  [FailureType.DeadlineExceeded]: kind(504, 'The deadline has passed', '已超过期限'),
  [FailureType.UnknownService]: kind(404, 'The service is not configured', '未配置该服务'),
  [FailureType.UnknownEnvironment]: kind(404, 'The environment is not configured', '未配置该环境'),
  [FailureType.UnknownCommit]: kind(422, 'The reference names no commit', '找不到该提交'),
  [FailureType.ManifestInvalid]: kind(422, 'The manifest has errors', '清单有错误'),
  [FailureType.RequestInvalid]: kind(400, 'The request has errors', '请求有错误'),
  [FailureType.BuildFailed]: kind(422, 'The build failed', '构建失败'),
  [FailureType.BuilderUnavailable]: kind(503, 'No builder took the build', '没有可用的构建机'),
  [FailureType.TestsFailed]: kind(422, 'Tests failed', '测试失败'),
  [FailureType.RevisionUnhealthy]: kind(422, 'The new revision is not healthy', '新版本不健康'),
  [FailureType.InstancesUnhealthy]: kind(422, 'The new revision turned unhealthy', '新版本变得不健康'),
  [FailureType.CapacityExhausted]: kind(503, 'There is no capacity', '容量不足'),
  [FailureType.ImageMissing]: kind(422, 'The image is not in the registry', '仓库中没有该镜像'),
  [FailureType.ConfigMissing]: kind(422, 'The configuration version is not published', '配置版本未发布'),
  [FailureType.TagConflict]: kind(409, 'The release tag names another image', '发布标签已指向其他镜像'),
  [FailureType.ApprovalRejected]: kind(409, 'The approval was refused', '审批被拒绝'),
  [FailureType.PlanDigestMismatch]: kind(409, 'Another plan waits for approval', '等待审批的是另一个计划'),
  [FailureType.SelfApproval]: kind(403, 'Nobody approves their own release', '不能审批自己的发布'),
  [FailureType.AlreadyApproved]: kind(409, 'The same person has approved already', '同一人已审批过'),
  [FailureType.NotWaiting]: kind(409, 'Nothing waits for this now', '当前没有等待该操作的步骤'),
  [FailureType.ReleaseOver]: kind(409, 'The release has ended', '发布已结束'),
  [FailureType.UnknownRelease]: kind(404, 'There is no such release', '没有该发布'),
  [FailureType.PlanOutdated]: kind(409, 'The plan was made for another state', '计划已过时'),
  [FailureType.ApprovalExpired]: kind(409, 'The approval came too late', '审批已过期'),
  [FailureType.NothingToRollBackTo]: kind(409, 'There is nothing to go back to', '没有可回退的版本'),
  [FailureType.CanaryFailed]: kind(422, 'The canary failed', '金丝雀未通过'),
  [FailureType.CanaryInconclusive]: kind(422, 'The canary could not be judged', '金丝雀无法判定'),
  [FailureType.Vetoed]: kind(409, 'The bundle was rolled back there before', '该制品曾在此环境回滚'),
  [FailureType.UnknownVeto]: kind(404, 'There is no such veto', '没有该否决'),
  [FailureType.UnknownBundle]: kind(404, 'There is no such bundle to go back to', '没有可回退的该制品'),
  [FailureType.NotReadyToRollBack]: kind(409, 'The way back is not ready', '回退条件未就绪'),
  [FailureType.LaneBusy]: kind(409, 'Another release holds the lane', '通道被其他发布占用'),
  [FailureType.Superseded]: kind(409, 'Another release has taken its place', '已被新的发布取代'),
  [FailureType.Drifted]: kind(409, 'What runs was changed by hand', '运行状态被手工修改'),
  [FailureType.NotAdoptable]: kind(409, 'Not while a release is under way', '发布进行中不能这样处理手工修改'),
  [FailureType.NoDrift]: kind(409, 'Nothing was changed by hand', '没有手工修改'),
  [FailureType.NotInGroup]: kind(403, 'The person is not in the group that is needed', '该人员不在所需的组内'),
  [FailureType.ApprovalImpossible]: kind(422, 'Nobody could give the approval', '没有人能够满足审批规则'),
  [FailureType.NotPermitted]: kind(403, 'The requester may not release there', '无权发布到该环境'),
  [FailureType.AlreadyPaused]: kind(409, 'The release is paused already', '发布已暂停'),
  [FailureType.NotPaused]: kind(409, 'The release is not paused', '发布没有暂停'),
  [FailureType.NothingToSkip]: kind(409, 'There is nothing to skip', '没有可跳过的步骤'),
  [FailureType.NothingToRetry]: kind(409, 'No step waits to be tried again', '没有等待重试的步骤'),
  [FailureType.UnknownStep]: kind(404, 'The plan has no such step', '计划中没有该步骤'),
  [FailureType.AlreadySaid]: kind(409, 'The same person has said so already', '同一人已表示过'),
  [FailureType.UnknownFreeze]: kind(404, 'There is no such freeze', '没有该冻结'),
  [FailureType.ClickUsed]: kind(409, 'The click was used for something else', '该点击已用于其他操作'),
  [FailureType.HeldTooLong]: kind(409, 'The release was held up for too long', '发布被搁置过久'),
  [FailureType.Aborted]: kind(409, 'The release was stopped', '发布已被中止'),
  [FailureType.SignatureInvalid]: kind(401, 'The signature is not valid', '签名无效'),
  [FailureType.Unauthenticated]: kind(401, 'A valid token is needed', '需要有效的令牌'),
  [FailureType.Internal]: kind(500, 'Something went wrong in Slipway', 'Slipway 内部错误'),
  [HttpFailure.IdempotencyKeyReused]: kind(422, 'The key was used for another order', '幂等键已用于其他请求'),
  [HttpFailure.UnknownRoute]: kind(404, 'There is no such address', '地址不存在'),
  [HttpFailure.BodyTooLarge]: kind(413, 'The body is too large', '请求体过大'),
  [HttpFailure.UnsupportedMediaType]: kind(415, 'Send application/json', '请发送 application/json'),
};

/** The code of a failure's type; a type that this version does not know is one of ours that went wrong. */
export function problemCode(type: string | null | undefined): ProblemCode {
  return isProblemCode(type) ? type : FailureType.Internal;
}

function isProblemCode(type: string | null | undefined): type is ProblemCode {
  return typeof type === 'string' && Object.hasOwn(PROBLEM_KINDS, type);
}
