"""The resource types and properties that CloudFormation of the fake AWS supports.

A template with any other fails: before anything is made for an unknown type, at the resource for an unknown property.
"""

from collections.abc import Callable, Mapping
from typing import Any

from ministack.services.cloudformation import provisioners, stacks

from lab.fake_aws.cloudformation import events as overlay_events
from lab.fake_aws.cloudformation import resources as overlay_resources
from lab.fake_aws.cloudformation import stabilization as overlay_steady

ANY = None
"""Types of CDK's own bootstrap template, which is not ours to judge."""

TYPES: Mapping[str, str | None] = {
    "AWS::CDK::Metadata": "Analytics",
    "AWS::CloudFormation::CustomResource": ANY,
    "AWS::CloudWatch::Alarm": "ActionsEnabled AlarmActions AlarmDescription AlarmName ComparisonOperator"
    " DatapointsToAlarm Dimensions EvaluationPeriods ExtendedStatistic InsufficientDataActions MetricName Metrics"
    " Namespace OKActions Period Statistic Tags Threshold ThresholdMetricId TreatMissingData Unit",
    "AWS::CloudWatch::Dashboard": "DashboardBody DashboardName Tags",
    "AWS::EC2::SecurityGroup": "GroupDescription GroupName SecurityGroupEgress SecurityGroupIngress Tags VpcId",
    "AWS::EC2::SecurityGroupEgress": "CidrIp Description DestinationSecurityGroupId FromPort GroupId IpProtocol ToPort",
    "AWS::EC2::SecurityGroupIngress": "CidrIp Description FromPort GroupId IpProtocol SourceSecurityGroupId"
    " SourceSecurityGroupOwnerId ToPort",
    "AWS::ECS::Cluster": "ClusterName ClusterSettings Tags",
    "AWS::ECS::Service": "Cluster DeploymentConfiguration DesiredCount EnableECSManagedTags EnableExecuteCommand"
    " HealthCheckGracePeriodSeconds LaunchType NetworkConfiguration PlatformVersion PropagateTags SchedulingStrategy"
    " ServiceName Tags TaskDefinition AvailabilityZoneRebalancing DeploymentController",
    "AWS::ECS::TaskDefinition": "ContainerDefinitions Cpu ExecutionRoleArn Family Memory NetworkMode"
    " RequiresCompatibilities RuntimePlatform Tags TaskRoleArn Volumes",
    "AWS::Events::Rule": "Description EventPattern Name ScheduleExpression State Tags Targets",
    "AWS::IAM::ManagedPolicy": ANY,
    "AWS::IAM::Policy": "PolicyDocument PolicyName Roles",
    "AWS::IAM::Role": "AssumeRolePolicyDocument Description ManagedPolicyArns MaxSessionDuration Path"
    " PermissionsBoundary Policies RoleName Tags",
    "AWS::Lambda::EventInvokeConfig": "DestinationConfig FunctionName MaximumEventAgeInSeconds MaximumRetryAttempts"
    " Qualifier",
    "AWS::Lambda::Function": "Architectures Code DeadLetterConfig Description Environment EphemeralStorage FunctionName"
    " Handler Layers LoggingConfig MemorySize PackageType ReservedConcurrentExecutions Role Runtime Tags Timeout"
    " TracingConfig VpcConfig",
    "AWS::Lambda::LayerVersion": "CompatibleArchitectures CompatibleRuntimes Content Description LayerName LicenseInfo",
    "AWS::Lambda::Permission": "Action FunctionName Principal SourceAccount SourceArn",
    "AWS::Logs::LogGroup": "LogGroupName RetentionInDays Tags LogGroupClass",
    "AWS::Logs::ResourcePolicy": "PolicyDocument PolicyName",
    "AWS::Logs::MetricFilter": "FilterName FilterPattern LogGroupName MetricTransformations",
    "AWS::Route53::HostedZone": "HostedZoneConfig HostedZoneTags Name VPCs",
    "AWS::SNS::Subscription": "Endpoint FilterPolicy FilterPolicyScope Protocol RawMessageDelivery"
    " RedrivePolicy TopicArn",
    "AWS::SNS::Topic": "DisplayName KmsMasterKeyId Subscription Tags TopicName",
    "AWS::SNS::TopicPolicy": "PolicyDocument Topics",
    "AWS::SQS::Queue": "KmsMasterKeyId MessageRetentionPeriod QueueName RedrivePolicy SqsManagedSseEnabled Tags"
    " VisibilityTimeout ReceiveMessageWaitTimeSeconds DelaySeconds",
    "AWS::SQS::QueuePolicy": "PolicyDocument Queues",
    "AWS::ECR::Repository": ANY,
    "AWS::S3::Bucket": ANY,
    "AWS::S3::BucketPolicy": ANY,
    "AWS::SSM::Parameter": ANY,
}


def install() -> None:
    """Patch ministack.services.cloudformation."""
    handlers = provisioners._RESOURCE_HANDLERS
    overlay_resources.install(handlers)
    for unknown in handlers.keys() - TYPES.keys():
        del handlers[unknown]
    stacks._topological_sort = overlay_steady.order
    blocks = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda kind: kind == overlay_steady.SERVICE or blocks(kind)
    sends_back = stacks._sends_back_failed_update
    stacks._sends_back_failed_update = lambda kind: (
        kind == overlay_steady.SERVICE or sends_back(kind)
    )
    stacks._provision_keeping_seed = _provision(stacks._provision_keeping_seed)
    stacks._update_keeping_seed = _update(stacks._update_keeping_seed)
    overlay_events.install()


def _provision(make: Callable[..., Any]) -> Callable[..., Any]:
    def provision(kind: str, logical_id: str, props: Mapping[str, Any], stack: str) -> Any:
        _refuse_unknown_properties(kind, props)
        (physical_id, attributes), seed = make(kind, logical_id, props, stack)
        try:
            overlay_steady.wait(logical_id)
        except ValueError:
            # the rollback knows only of what was made; this one was, and then failed
            provisioners._delete_resource(kind, physical_id, props, stack, logical_id)
            raise
        return (physical_id, attributes), seed

    return provision


def _update(make: Callable[..., Any]) -> Callable[..., Any]:
    def update(
        kind: str,
        physical_id: str,
        old: object,
        new: Mapping[str, Any],
        stack: str,
        logical_id: str,
        *rest: object,
    ) -> Any:
        _refuse_unknown_properties(kind, new)
        if old == new:
            overlay_events.skip_event(stack, logical_id)
        made = make(kind, physical_id, old, new, stack, logical_id, *rest)
        overlay_steady.wait(logical_id)
        return made

    return update


def _refuse_unknown_properties(kind: str, props: Mapping[str, Any]) -> None:
    known = TYPES.get(kind, ANY)
    if known is ANY:
        return
    if unknown := sorted(props.keys() - set(known.split())):
        raise ValueError(
            f"{kind}: the lab does not model {', '.join(unknown)}; it knows {known.replace(' ', ', ')}"
        )
