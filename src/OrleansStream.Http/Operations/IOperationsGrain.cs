namespace OrleansStream.Http;

/// <summary>The operations of one job.</summary>
internal interface IOperationsGrain : IGrainWithStringKey
{
    /// <summary>Begins an operation, or finds the one that was begun by the same request.</summary>
    Task<OperationAnswer> BeginAsync(OperationRequest request);

    /// <summary>How an operation stands.</summary>
    Task<OperationView> FindAsync(string id);
}
