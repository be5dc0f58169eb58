using System.Reflection;
using OrleansStream.Exchange;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Stages;
using Barrier = OrleansStream.Exchange.Barrier;

namespace OrleansStream.Tests.Stages;

/// <summary>Who owns a batch after it was sent. A recycled batch is one whose count was set to 0.</summary>
public sealed class GrainSubtaskNetworkTests
{
    private const string Here = "S127.0.0.1:11111:1";
    private const string There = "S127.0.0.1:22222:1";
    private static readonly PostReply Taken = new(null, 0);

    [Fact]
    public async Task A_batch_that_another_silo_has_taken_goes_back_to_the_pool()
    {
        var (batch, envelope) = Batch();

        Assert.Equal(Taken, await Network(There, () => Taken).PostAsync(Wiring.Lower, envelope));

        Assert.Equal(0, batch.Count);
    }

    [Fact]
    public async Task A_batch_sent_within_the_silo_is_the_receivers()
    {
        var (batch, envelope) = Batch();

        await Network(Here, () => Taken).PostAsync(Wiring.Lower, envelope);

        Assert.Equal(1, batch.Count);
    }

    [Fact]
    public async Task A_batch_is_kept_while_the_receiver_is_not_started()
    {
        var (batch, envelope) = Batch();
        var replies = new Queue<PostReply>([PostReply.NotYet, Taken]);
        var network = Network(There, replies.Dequeue);

        Assert.True((await network.PostAsync(Wiring.Lower, envelope)).IsNotYet);
        Assert.Equal(1, batch.Count);
        await network.PostAsync(Wiring.Lower, envelope);

        Assert.Equal(0, batch.Count);
    }

    [Fact]
    public async Task A_refused_batch_is_left_alone()
    {
        var (batch, envelope) = Batch();

        await Network(There, () => new PostReply("ended", 0)).PostAsync(Wiring.Lower, envelope);

        Assert.Equal(1, batch.Count);
    }

    [Fact]
    public async Task A_batch_of_which_a_call_failed_is_left_alone_even_when_a_repeat_is_taken()
    {
        var (batch, envelope) = Batch();
        var calls = 0;
        var network = Network(There, () => ++calls == 1 ? throw new TimeoutException() : Taken);

        await Assert.ThrowsAsync<TimeoutException>(() => network.PostAsync(Wiring.Lower, envelope).AsTask());
        await network.PostAsync(Wiring.Lower, envelope);

        Assert.Equal((2, 1), (calls, batch.Count));
    }

    private static (Batch<string> Batch, Envelope Envelope) Batch()
    {
        var batch = new Batch<string>(["a"], [1], [2]);
        return (batch, Wiring.Envelope(1, batch));
    }

    private static GrainSubtaskNetwork Network(string receiver, Func<PostReply> answer)
    {
        var grains = DispatchProxy.Create<IGrainFactory, OneGrain>();
        ((OneGrain)(object)grains).Grain = new Neighbour(answer);
        var network = new GrainSubtaskNetwork(grains, "payments", Attempt.First, Wiring.Upper);
        network.Begin(new SubtaskTable(new Dictionary<SubtaskId, SubtaskAddress>
        {
            [Wiring.Upper] = new(Here, Wiring.UpperOpening),
            [Wiring.Lower] = new(receiver, Wiring.LowerOpening),
        }));
        return network;
    }

    /// <summary>A factory all of whose grains are one.</summary>
    public class OneGrain : DispatchProxy
    {
        internal object? Grain { get; set; }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => Grain;
    }

    private sealed class Neighbour(Func<PostReply> answer) : ISubtaskGrain
    {
        public async ValueTask<PostReply> PostAsync(Envelope envelope)
        {
            await Task.Yield();
            return answer();
        }

        public Task<SubtaskOpened> OpenAsync(SubtaskOpening opening) => throw new NotSupportedException();

        public Task StartAsync(SubtaskTable table, string coordinatorSilo) => throw new NotSupportedException();

        public ValueTask CreditAsync(Credit credit) => throw new NotSupportedException();

        public Task TriggerAsync(Barrier barrier) => throw new NotSupportedException();

        public Task CommitAsync(CommitPermit permit) => throw new NotSupportedException();

        public Task<SubtaskReport> HeartbeatAsync() => throw new NotSupportedException();

        public Task<long> AlignAsync(long lowestOfOthers) => throw new NotSupportedException();

        public Task LeaveAsync(string cause) => throw new NotSupportedException();

        public Task EndAsync() => throw new NotSupportedException();
    }
}
