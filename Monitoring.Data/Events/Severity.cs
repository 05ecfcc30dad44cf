namespace Monitoring.Data.Events;

/// <summary>How bad a finding is, in rising order.</summary>
public enum Severity { Info, Low, Medium, High, Critical }

/// <summary>Where a security event is in its life.</summary>
public enum EventStatus { Open, Acknowledged, Resolved }

/// <summary>What a change did to an event.</summary>
public enum ChangeKind { Opened, Escalated, Acknowledged, Silenced, Resolved }
