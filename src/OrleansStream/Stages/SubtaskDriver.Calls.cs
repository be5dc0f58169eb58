using OrleansStream.Checkpoints;
using OrleansStream.Exchange;
using OrleansStream.Jobs;

namespace OrleansStream.Stages;

/// <summary>The calls that a subtask makes, each repeated while its outcome is unknown.</summary>
internal sealed partial class SubtaskDriver
{
    /// <summary>How many times the first pause the pauses between the tries of a call become.</summary>
    private const int MostPauses = 8;

    /// <summary>
    /// Sends what may be sent; true when there is room then that was not there before. Who waits for room must not wait in that case: a call may be answered before it is awaited, and
    /// then no answer is to come that would end the waiting.
    /// </summary>
    private bool Pump()
    {
        var hadRoom = _context.HasChannelRoom;
        foreach (var channel in _subtask.Outputs)
        {
            while (channel.TryTakeNext(out var envelope)) _ = SendAsync(channel, envelope);
        }

        for (var channel = 0; channel < _subtask.Inputs.Count; channel++)
        {
            if (!_crediting.Contains(channel) && _subtask.Inputs[channel].TryTakeCredit(out var processed)) _ = CreditAsync(channel, processed);
        }

        return !hadRoom && _context.HasChannelRoom;
    }

    /// <summary>Notes what a receiver has processed, and goes on if that is what the subtask waits for.</summary>
    private void TakeCredit(OutputChannel channel, long processed)
    {
        channel.Credit(processed);
        if (channel.MaySend || (_waitsFor == StepKind.NoRoom && _context.HasChannelRoom)) Signal();
    }

    private async Task SendAsync(OutputChannel channel, Envelope envelope)
    {
        try
        {
            PostReply? reply = null;
            try
            {
                // The first try is awaited as it comes: this is done for every batch, and what follows a failure may cost more.
                reply = await _network.PostAsync(channel.To, envelope);
            }
            catch (Exception error) when (error is not InvariantException)
            {
            }

            while (reply is null or { IsNotYet: true })
            {
                if (_ended.IsCancellationRequested) return;
                await Task.Delay(_timings.CallPause, _time, _ended.Token);
                reply = await SendAgainAsync(channel, envelope);
            }

            if (_ended.IsCancellationRequested) return;
            if (reply.Value.Refusal is { } refusal) throw new StreamException($"Subtask {channel.To} of job '{_context.Job}' refused envelope {envelope.Sequence} from {Id}: {refusal}.");
            TakeCredit(channel, reply.Value.Processed);
        }
        catch (Exception error)
        {
            Fail(error);
        }
    }

    private Task<PostReply> SendAgainAsync(OutputChannel channel, Envelope envelope) =>
        CallAsync(async () => await _network.PostAsync(channel.To, envelope), $"sending to subtask {channel.To}");

    private async Task CreditAsync(int channel, long processed)
    {
        var input = _subtask.Inputs[channel];
        _crediting.Add(channel);
        try
        {
            do
            {
                var credit = new Credit(_context.Attempt, Id, _context.Incarnation, input.FromIncarnation, channel, processed);
                var isKnown = false;
                try
                {
                    // As when sending: the first try as it comes.
                    await _network.CreditAsync(input.From, credit);
                    isKnown = true;
                }
                catch (Exception error) when (error is not InvariantException)
                {
                }

                if (!isKnown) await CreditAgainAsync(input, credit);
            }
            while (!_ended.IsCancellationRequested && input.TryTakeCredit(out processed));
        }
        catch (Exception error)
        {
            Fail(error);
        }
        finally
        {
            _crediting.Remove(channel);
        }
    }

    private async Task CreditAgainAsync(InputChannel input, Credit credit)
    {
        if (_ended.IsCancellationRequested) return;
        await Task.Delay(_timings.CallPause, _time, _ended.Token);
        await CallAsync(
            async () =>
            {
                await _network.CreditAsync(input.From, credit);
                return true;
            },
            $"returning credit to subtask {input.From}");
    }

    /// <summary>Makes a frozen snapshot durable and sends the receipt. Snapshots of one subtask follow each other, so a receipt names all output prepared before it.</summary>
    private async Task WriteSnapshotAsync(Task previous, SubtaskSnapshot snapshot)
    {
        try
        {
            await previous;
            if (_ended.IsCancellationRequested) return;
            await Task.WhenAll(snapshot.Preparing);
            var sinks = _subtask.Sinks.Select(static sink => new SinkReceipt(sink.Name, [.. sink.Pending], sink.Prepared)).ToList();
            var checkpoint = snapshot.Barrier.Checkpoint;
            var name = ObjectNames.Segment(_context.Job, checkpoint, _context.Stage, Id.Index, _context.Incarnation);
            var written = await _writer.WriteAsync(name, snapshot.Frozen, _ended.Token);
            FaultPoints.Pass(FaultPoint.SegmentWritten);
            // From here on nobody reads it, and whoever goes on with the tables need not wait for the coordinator's answer.
            snapshot.Frozen.Dispose();
            _written = written;
            FirstWritten ??= written;
            var receipt = new Receipt(Id, _context.Incarnation, checkpoint, _context.Groups, snapshot.Frozen.Base, written, sinks, snapshot.StallMs);
            await ToldAsync(() => _coordinator.ReceiptAsync(receipt));
        }
        catch (OperationCanceledException) when (_ended.IsCancellationRequested)
        {
        }
        catch (Exception error)
        {
            Fail(error);
        }
        finally
        {
            snapshot.Frozen.Dispose();
        }
    }

    /// <summary>Tells the coordinator until it has heard. A coordinator that does not count this opening in ends it.</summary>
    private async Task ToldAsync(Func<Task<bool>> tell)
    {
        try
        {
            var counted = await CallAsync(tell, "telling the coordinator");
            if (!counted) Cancel();
        }
        catch (OperationCanceledException)
        {
        }
        catch (Exception error)
        {
            Fail(error);
        }
    }

    /// <summary>Tells the coordinator of a failure until it has heard; false when it counts this opening in no more.</summary>
    private async Task<bool> TellFailureAsync(SubtaskFailure failure)
    {
        try
        {
            return await CallAsync(() => _coordinator.FailedAsync(failure), "telling the coordinator", evenAfterEnd: true);
        }
        catch
        {
            return true;
        }
    }

    private async Task<T> CallAsync<T>(Func<Task<T>> call, string doing, bool evenAfterEnd = false)
    {
        var (began, pause) = (_time.GetTimestamp(), _timings.CallPause);
        while (true)
        {
            try
            {
                return await call();
            }
            catch (Exception error) when (error is not InvariantException)
            {
                if (!evenAfterEnd) _ended.Token.ThrowIfCancellationRequested();
                if (_time.GetElapsedTime(began) >= _timings.CallPatience)
                {
                    throw new StreamException($"Job '{_context.Job}', subtask {Id}: {doing} kept failing for {_timings.CallPatience.TotalSeconds:0.#} s: {error.Message}", error);
                }
            }

            await Task.Delay(pause, _time, evenAfterEnd ? CancellationToken.None : _ended.Token);
            // A call that fails costs more than one that does not, and all those to a silo that has died fail until the attempt ends.
            if (pause < _timings.CallPause * MostPauses) pause *= 2;
        }
    }

    private void AwaitSplits()
    {
        while (_subtask.Source is { } source && source.TryTakeWaiting(out var wait, out var ready)) _ = WaitForSplitAsync(wait, ready);
    }

    private async Task WaitForSplitAsync(Func<CancellationToken, ValueTask> wait, Action ready)
    {
        try
        {
            await wait(_ended.Token);
            ready();
            Signal();
        }
        catch (OperationCanceledException) when (_ended.IsCancellationRequested)
        {
        }
        catch (Exception error)
        {
            Fail(error);
        }
    }
}
